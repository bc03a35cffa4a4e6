"""What `import awsfed_lib as fed` offers, and nothing else."""

import subprocess
import sys

import awsfed_lib


def test_all_is_sorted_and_everything_in_it_is_there():
    assert sorted(awsfed_lib.__all__) == awsfed_lib.__all__
    assert all(getattr(awsfed_lib, name) is not None for name in awsfed_lib.__all__)
    assert dir(awsfed_lib) == awsfed_lib.__all__


def test_import_is_quick_since_nothing_else_is_imported():
    code = "import sys, awsfed_lib; print([name for name in ('pandas', 'boto3', 'msal', 'papermill') if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
