/// Ends the process with a message when a property does not hold; libFuzzer then keeps the input. Unlike `assert` it is
/// there in optimised builds too.
func require(_ condition: @autoclosure () -> Bool, _ message: StaticString) {
    if !condition() { fatalError("\(message)") }
}
