"""Makes the reporter of `compat_trial_reporter` known to trial, as twisted's plugins are."""

from twisted.plugins.twisted_trial import _Reporter

compat = _Reporter(
    "Writes down every outcome",
    "compat_trial_reporter",
    description="Writes down every outcome",
    longOpt="compat",
    shortOpt=None,
    klass="Reporter",
)
