"""Third parties that supply contexts, by the entry point group `whotests.contexts`."""

from collections.abc import Iterable
from importlib import import_module

from whotests.errors import UsageError
from whotests.recording.session import Session

__all__ = ["Contexts", "call_providers"]


class Contexts:
    """What a provider gets: opens and closes labels around whatever it knows of."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def open(self, label: str) -> object:
        """Begin a context; what runs until it is closed also belongs to `label`.

        The token that comes back is for `close`. Contexts may overlap in any order.
        """
        return self._session.open_label(label)

    def close(self, token: object) -> None:
        """End the context that `open` began; a token that was closed already does nothing."""
        self._session.close_label(token)


def call_providers(providers: Iterable[tuple[str, str]], session: Session) -> None:
    """Call each provider once with a `Contexts`; `UsageError` names one that cannot be called."""
    for name, target in providers:
        module_name, _, attribute = target.partition(":")
        try:
            provider: object = import_module(module_name.strip())
            for part in attribute.partition("[")[0].strip().split("."):
                provider = getattr(provider, part) if part else provider
            if not callable(provider):
                raise TypeError(f"{target} is not callable")
            provider(Contexts(session))
        except Exception as error:
            raise UsageError(
                f"the provider of contexts '{name}' ({target}) fails: "
                f"{type(error).__name__}: {error}; correct it or uninstall its package"
            ) from error
