"""What to say where a framework is not installed."""

from __future__ import annotations


def missing_package(error: ModuleNotFoundError, module: str, package: str) -> ImportError:
    """The error for `import hanko.<extra>` without the framework; what else is missing is told as it is.

    `module` is what could not be imported, `package` its name for people; the extra is named after the module.
    """
    if error.name != module:
        return error
    return ImportError(f"hanko.{module} needs {package}: pip install 'hanko[{module}]'", name=module)
