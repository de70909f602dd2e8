"""What makes a test fail, in sentences."""

from whotests.runner.isolation.isolating import Answer, Isolation

__all__ = ["isolation_text"]


def isolation_text(test_id: str, found: Isolation, *, again: str) -> str:
    """The answer; `again` is the command that shows it, or ''."""
    tried = f"({found.experiments} experiment{'' if found.experiments == 1 else 's'})"
    if found.answer is Answer.ALONE:
        said = [f"{test_id} fails alone: no other test has to run before it {tried}"]
    elif found.answer is Answer.NEVER:
        said = [
            f"{test_id} did not fail, neither alone nor after all other tests of its suite {tried}",
            "it may fail in another order (--order random:SEED, as a run that failed has shown "
            "it), beside other tests (-j), or now and then (--until-failure)",
        ]
    else:
        count = len(found.culprits)
        says = "fails after this test" if count == 1 else f"fails after these {count} tests"
        said = [f"{test_id} {says}, and passes without {'it' if count == 1 else 'any of them'}:"]
        said += [f"  {each}" for each in found.culprits]
        if found.answer is Answer.UNSTEADY:
            said[0] = f"{test_id} failed after these tests, but not each time {tried}:"
            said.append("chance or time have a part in it; --until-failure may tell more")
        else:
            said[0] = f"{said[0][:-1]} {tried}:"
    if again:
        said.append(f"again: {again}")
    return "\n".join(said)
