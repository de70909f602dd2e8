"""Test databases of one worker, apart from those of the others."""

__all__ = ["set_apart"]

_IN_MEMORY = ":memory:"


def set_apart(worker: str) -> None:
    """From now on the names of Django's test databases end in the worker's: 'test_shop_gw1'.

    To be called once, when the settings are there and no test database is. Those that live in
    the memory of the process have no name to change, and a mirror has none of its own.
    """
    from django.db import connections

    for alias in connections:
        settings = connections[alias].settings_dict
        test = settings.setdefault("TEST", {})
        if test.get("MIRROR"):
            continue
        name = test.get("NAME")
        if not name:
            if settings["ENGINE"] == "django.db.backends.sqlite3":
                continue
            name = f"test_{settings['NAME']}"
        if name != _IN_MEMORY and "mode=memory" not in str(name):
            test["NAME"] = f"{name}_{worker}"
