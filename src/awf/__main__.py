"""``python -m awf`` is the ``awf`` command."""

from awf.cli.main import main

if __name__ == "__main__":
    main()
