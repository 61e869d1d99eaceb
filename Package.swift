// swift-tools-version: 6.2
import PackageDescription

// HANKO_ORDINARY_SWIFT=1 builds the release library as ordinary Swift from the same sources, for the day that Embedded
// Swift stands in the way: swift build -c release -Xswiftc -static-stdlib. A test builds it, so that it stays possible.
let isEmbedded = Context.environment["HANKO_ORDINARY_SWIFT"] != "1"

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
    // secure_getenv and dladdr. Here and not in the shims, so that all modules see the C library the same way.
    .unsafeFlags(["-Xcc", "-D_GNU_SOURCE"]),
    // One section for each function, so that the linker can leave out what nobody calls. Without it the hashing that
    // every enum brings along stays in, and with it a function of glibc 2.36.
    .unsafeFlags(["-Xfrontend", "-function-sections"], .when(configuration: .release)),
    // The check traps, which must never happen in a host, and costs on each access to an object. Debug keeps it, so
    // that the tests find what it would find.
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

// No Swift runtime on the machine that runs the library: 0.1 MB instead of 6. Debug stays ordinary Swift, because
// sanitizers and Swift Testing need it.
let embedded: [SwiftSetting] =
    isEmbedded ? [.enableExperimentalFeature("Embedded", .when(configuration: .release))] : []

let releaseLinkerFlags = [
    // The linker of the Swift toolchain itself: the same on every machine, and it drops all that is not exported.
    "-use-ld=lld",
    "-Xlinker", "--gc-sections",
    // Functions of equal code become one. Nobody compares the addresses of any.
    "-Xlinker", "--icf=all",
    // A missing symbol fails the build and not the host. Not in debug: sanitizer runtimes stay undefined in a library.
    "-Xlinker", "-z", "-Xlinker", "defs",
    // dlclose must not unmap code that a thread may still run, such as the end of a thread that called us.
    "-Xlinker", "-z", "-Xlinker", "nodelete",
    "-Xlinker", "-soname", "-Xlinker", "libhanko.so.0",
    "-Xlinker", "--version-script=\(Context.packageDirectory)/Sources/Hanko/hanko.map",
]

// The runtime of Embedded Swift is compiled into the library and allocates with these two; where memory is short a
// reserve serves it (MemoryReserve).
let reserveLinkerFlags = isEmbedded ? ["-Xlinker", "--wrap=posix_memalign", "-Xlinker", "--wrap=free"] : []

let package = Package(
    name: "hanko",
    products: [
        .library(name: "hanko", type: .dynamic, targets: ["Hanko"])
    ],
    targets: [
        // The public header as a module: the compiler checks each exported function against it.
        .systemLibrary(name: "CHanko", path: "include"),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        // The C library: Embedded Swift has no Glibc module.
        .systemLibrary(name: "CSystem"),
        .target(
            name: "HankoCore",
            dependencies: ["CCurl", "CSystem"],
            swiftSettings: swiftSettings + embedded
        ),
        .target(
            name: "Hanko",
            dependencies: ["CHanko", "CSystem", "HankoCore"],
            exclude: ["hanko.map"],
            swiftSettings: swiftSettings + embedded,
            linkerSettings: [.unsafeFlags(releaseLinkerFlags + reserveLinkerFlags, .when(configuration: .release))]
        ),
        .testTarget(
            name: "HankoCoreTests",
            dependencies: ["CHanko", "CSystem", "Hanko", "HankoCore"],
            swiftSettings: swiftSettings
        ),
    ]
)
