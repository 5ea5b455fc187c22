"""Background work: visible while it runs, cancellable, repeatable, and done once even when a worker is killed.

A room declares what it can do in its `tasks.py`::

    @job("projects.export", _("Export of projects"))
    def export(run: Run, *, org: int, columns: list[str]) -> dict[str, Any]:
        for number, row in enumerate(rows):
            run.progress(number, total, _("Writing rows"))   # also stops here when the user cancels
        with run.finishing() as end:                        # the last step and "done" are one transaction
            end.url = …

and starts it with ``enqueue(actor, "projects.export", title, {"org": 1, "columns": […]}, org_id)``, which returns the
`Job` whose page shows the bar. The function runs in the worker with the *present* rights of whoever asked, its scope open.
What it does before ``run.finishing`` may happen again after a crash; what it does inside happens exactly once.
"""
