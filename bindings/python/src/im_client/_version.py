"""The package's version is the library's.

Made by generate.py from bindings/abi.json. Do not edit.
"""

__version__ = "0.1.0"
