# libhanko: build, try, test, install. `make help` lists the targets; CONTRIBUTING.md says what lives where.

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DESTDIR ?=

SWIFT ?= swift
PYTHON ?= python3
INSTALL ?= install
STRIP ?= strip
LDCONFIG ?= ldconfig

BUILD = .build/release
LIBRARY = $(BUILD)/libhanko.so
SONAME = libhanko.so.0

# The header is the only place where the version is written down.
VERSION != sed -n 's/^.define HANKO_VERSION_STRING "\(.*\)"$$/\1/p' include/hanko.h

all: build

help:
	@echo 'make build      build $(LIBRARY) (needs Swift 6.3 and libcurl4-openssl-dev, nothing else)'
	@echo 'make demo       run the C, Python and Go examples against a stand-in Hanko; installs what is missing'
	@echo 'make demo-python   the same for Flask, Django and FastAPI in their servers; SERVE=1 leaves them to a browser'
	@echo 'make test       run every test; installs what is missing'
	@echo 'make fuzz       run each fuzz target for a minute'
	@echo 'make bench      libhanko beside what people use today, in ratios (15 minutes); bench-full: every combination'
	@echo 'make bench-check   what changed by more than 5 % in instructions, allocations, system calls and bytes'
	@echo 'make install    install into PREFIX (now $(PREFIX)); honours LIBDIR, INCLUDEDIR and DESTDIR'
	@echo 'make uninstall  take that back'
	@echo 'make clean      remove everything that was built'

# Programs that are linked against the build folder look there for the soname, hence the link.
build:
	@.ci/setup build
	$(SWIFT) build -c release
	ln -sf libhanko.so $(BUILD)/$(SONAME)

# The recipes call make and do not name `build` as a prerequisite: with `make -j` it would start before the packages
# that it needs are there.
demo:
	@.ci/setup demo
	@$(MAKE) --no-print-directory build
	@$(PYTHON) examples/demo/demo.py

# The package builds the library that it holds itself.
demo-python:
	@.ci/setup demo-python
	@$(PYTHON) examples/demo/demo_python.py $(if $(SERVE),--serve)

test:
	@.ci/setup test
	@$(MAKE) --no-print-directory build
	@$(PYTHON) Tests/run

fuzz:
	@.ci/setup build
	@Tests/Fuzz/run

bench bench-full bench-check:
	@.ci/setup build
	@benchmarks/setup
	@$(MAKE) --no-print-directory build
	@benchmarks/run $(patsubst bench-%,%,$@)

# No prerequisites on purpose: `sudo make install` takes the library that is there and does not build as root. It
# builds only where there is none.
$(LIBRARY):
	@$(MAKE) --no-print-directory build

# The library is stripped where there is a program for it; it works as well without. The dynamic linker's cache is
# refreshed when this is a real installation (no DESTDIR), because /usr/local/lib is searched through the cache only.
install: $(LIBRARY)
	$(INSTALL) -d "$(DESTDIR)$(LIBDIR)/pkgconfig" "$(DESTDIR)$(INCLUDEDIR)"
	$(INSTALL) -m 755 $(LIBRARY) "$(DESTDIR)$(LIBDIR)/libhanko.so.$(VERSION)"
	@if command -v $(STRIP) >/dev/null 2>&1; then \
	    echo '$(STRIP) --strip-unneeded "$(DESTDIR)$(LIBDIR)/libhanko.so.$(VERSION)"'; \
	    $(STRIP) --strip-unneeded "$(DESTDIR)$(LIBDIR)/libhanko.so.$(VERSION)"; \
	else echo 'not stripped: there is no $(STRIP) here (package binutils)'; fi
	ln -sf libhanko.so.$(VERSION) "$(DESTDIR)$(LIBDIR)/$(SONAME)"
	ln -sf $(SONAME) "$(DESTDIR)$(LIBDIR)/libhanko.so"
	$(INSTALL) -m 644 include/hanko.h "$(DESTDIR)$(INCLUDEDIR)/hanko.h"
	@echo 'writing $(DESTDIR)$(LIBDIR)/pkgconfig/hanko.pc'
	@printf '%s\n' \
	    'prefix=$(PREFIX)' \
	    'libdir=$(LIBDIR)' \
	    'includedir=$(INCLUDEDIR)' \
	    '' \
	    'Name: hanko' \
	    'Description: Asks a Hanko server whether a session token is valid' \
	    'Version: $(VERSION)' \
	    '# libcurl is not named: the shared library brings it, and a program needs none of its headers.' \
	    'Libs: -L$${libdir} -lhanko' \
	    'Cflags: -I$${includedir}' > "$(DESTDIR)$(LIBDIR)/pkgconfig/hanko.pc"
	@chmod 644 "$(DESTDIR)$(LIBDIR)/pkgconfig/hanko.pc"
	@if [ -z "$(DESTDIR)" ]; then \
	    PATH="$$PATH:/usr/sbin:/sbin" $(LDCONFIG) 2>/dev/null || echo 'as root, run ldconfig if programs do not find the library'; \
	fi

# Directories stay: they may have been there before.
uninstall:
	rm -f "$(DESTDIR)$(LIBDIR)/libhanko.so" "$(DESTDIR)$(LIBDIR)/$(SONAME)"
	rm -f "$(DESTDIR)$(LIBDIR)/libhanko.so.$(VERSION)"
	rm -f "$(DESTDIR)$(INCLUDEDIR)/hanko.h" "$(DESTDIR)$(LIBDIR)/pkgconfig/hanko.pc"
	@if [ -z "$(DESTDIR)" ]; then PATH="$$PATH:/usr/sbin:/sbin" $(LDCONFIG) 2>/dev/null || :; fi

# An installation of the Python package in place (pip install -e) has put the library beside its sources.
clean:
	rm -rf .build bindings/python/src/hanko/libhanko.so*

.PHONY: all help bench bench-check bench-full build demo demo-python test fuzz install uninstall clean
