"""Returns the metadata of source distributions that scikit-build-core builds."""

from maturin import (  # type: ignore[import-not-found] # beside it on pip's path
    prepare_metadata_for_build_wheel,
)

__all__ = ["prepare_metadata_for_build_wheel"]
