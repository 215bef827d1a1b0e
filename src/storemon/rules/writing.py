"""Rules as people would write them: what `storemon.rules.file.read_rule` reads, made of a rule."""

from datetime import timedelta
from typing import Any

from storemon.rules.conditions import HALF, Below, Burn, decimal, percent
from storemon.rules.rule import Rule
from storemon.units.durations import format_duration


def written(rule: Rule) -> dict[str, Any]:
    """Write a rule by the names of its parts; those that say nothing of their own are left out."""
    condition, told = rule.condition, {"name": rule.name, "when": str(rule.condition)}
    parts: dict[str, Any] = {
        **told,
        "where": [f"{tag}={value}" for tag, value in rule.where.items()],
        "by": [*rule.by],
        "severity": rule.severity,
        "channels": [*rule.channels],
    }
    if isinstance(condition, Below) and condition.coverage != HALF:
        parts["coverage"] = percent(condition.coverage)
    if isinstance(condition, Below) and condition.recover != condition.threshold:
        parts["recover"] = percent(condition.recover)
    if isinstance(condition, Burn) and condition.recover != condition.factor:
        parts["recover"] = decimal(condition.recover)
    parts |= {name: _length(getattr(rule, name)) for name in ("recovery", "grouping", "repeat")}
    if rule.repeat is not None and rule.repeats != Rule.repeats:
        parts["repeats"] = rule.repeats
    parts["escalate"] = [{"after": _length(step.after), "channels": [*step.channels]} for step in rule.escalate]
    if rule.flapping != Rule.flapping:
        flapping = rule.flapping
        parts["flapping"] = f"{flapping.times} in {format_duration(flapping.within)}" if flapping else "never"
    parts |= {"title": rule.title, "text": rule.text}
    return {name: part for name, part in parts.items() if part or name in told}


def _length(length: timedelta | None) -> str:
    return format_duration(length) if length else ""
