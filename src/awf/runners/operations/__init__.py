"""Operations, one file per family, and the runner of ``type: operation``."""
