"""FunReason and BalanceSFT as a DVC pipeline: function-calling data refined, models trained and measured."""


def __getattr__(name: str) -> str:
    # Lazy: reading the metadata takes longer than importing this package.
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("funreason")
    except PackageNotFoundError:  # a checkout that is not installed
        return "0+unknown"
