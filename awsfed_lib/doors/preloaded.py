"""What a run and its kernel import, all at once: for the process that those of a batch are forked of (see `processes`).

Half of the processor's time of a short run goes into imports. Nothing is done here but importing: no thread, no connection.
"""
# ruff: noqa: F401  names are not used here, but loaded

from awsfed_lib.doors.lean import quick_imports

with quick_imports():
    import nbconvert
    import nbformat
    import papermill.execute

    from awsfed_lib.doors import alerts, engine, kernel, runner
    from awsfed_lib.edges.records import export

import boto3
import duckdb
import ipykernel.kernelapp
import ipywidgets
import matplotlib.backends.backend_svg
import msal

import awsfed_lib as fed

PUBLIC = [getattr(fed, name) for name in fed.__all__]
