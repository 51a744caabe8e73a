"""The version of this package, which model folders name."""

VERSION = "0.1.0"
