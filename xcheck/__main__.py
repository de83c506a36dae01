"""`python -m xcheck`."""

from xcheck.cli.main import main

if __name__ == "__main__":
    main()
