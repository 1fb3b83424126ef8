"""``python -m awf.testing.engine``: the engine with the faults of ``awf.testing.processes``."""

from awf.testing.processes import prepare

if __name__ == "__main__":
    prepare()
    from awf.cli.engine import main

    main()
