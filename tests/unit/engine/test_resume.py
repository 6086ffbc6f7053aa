"""The plans of nested runs, restored from the journal."""

from awstoe.engine import events
from awstoe.engine.plan import Plan, planned
from awstoe.engine.records import Records
from awstoe.engine.resume import restore_plans, source
from fakes.executions import TIME, NoDocuments, document, plan

STEPS = """
  - name: build
    steps:
      - {name: S, action: ExecuteBash, inputs: {commands: [x]}}
  - name: test
    steps:
      - {name: T, action: ExecuteBash, inputs: {commands: [x]}}
"""
TOP = plan(document(STEPS, "top.yml"))


def started(records: Records, key: str, *sources: events.Source) -> None:
    records.apply(events.RunStarted(key, f"id of {key}", TIME, list(sources)))
    records.apply(events.DocumentStarted(key, 0, TIME))
    records.apply(events.PhaseStarted(key, 0, 0, TIME))
    records.apply(events.StepStarted(key, 0, 0, 0, TIME))


def test_a_nested_run_gets_the_plan_it_was_started_with() -> None:
    inner = planned(document(STEPS, "inner.yml"), {"A": "1"}, (False, True))
    innermost = planned(document(STEPS, "innermost.yml"), {}, (True, True))
    records = Records(1000)
    started(records, "")
    started(records, "/0.0.0#2", source(inner))
    started(records, "/0.0.0#2/0.0.0", source(innermost))
    records.runs[""].plan = TOP
    restore_plans(records, NoDocuments(), lambda path: f"/real/{path}")
    assert records.plan("/0.0.0#2") == Plan("id of /0.0.0#2", (inner,), 1, ("/real/top.yml",))
    assert records.plan("/0.0.0#2/0.0.0") == Plan(
        "id of /0.0.0#2/0.0.0", (innermost,), 2, ("/real/top.yml", "/real/inner.yml")
    )


def test_a_source_survives_the_journal() -> None:
    item = planned(document(STEPS), {"A": "1"}, (False, True))
    event = events.RunStarted("", "id-1", TIME, [source(item)])
    records = Records(1000)
    records.apply(event)
    assert records.runs[""].sources == [
        events.Source("doc.yml", item.document.data.decode(), {"A": "1"}, [False, True])
    ]
