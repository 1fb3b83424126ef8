"""``python -m awf.testing.serve``: ``awf serve`` with the faults of ``awf.testing.processes``."""

from awf.testing.processes import prepare

if __name__ == "__main__":
    prepare()
    from awf.cli.serve import command

    command()
