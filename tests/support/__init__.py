"""What the tests need besides the package: real databases to run against."""
