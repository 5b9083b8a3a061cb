"""What the commands share: features whose packages are not installed."""

import os
import subprocess
import sys

from tests.support.program import ROOT


def test_a_feature_whose_package_is_missing_names_the_extra(tmp_path):
    start = "import sys; sys.modules['pyarrow'] = None; from tpmirror.__main__ import main; main()"
    process = subprocess.run(
        [sys.executable, "-c", start, "export", "out"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.returncode == 2
    assert " needs pyarrow" in process.stderr
    assert "pip install 'tpmirror[export]'" in process.stderr
    assert process.stderr.count("\n") == 1


def test_a_command_on_sqlite_does_not_wait_for_another_dialect(tmp_path):
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TPMIRROR_DATABASE_URL": "sqlite:///mirror.db"}
    for command in (["db", "upgrade"], ["status"]):
        process = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "tpmirror", *command], cwd=tmp_path, capture_output=True,
            text=True, check=True, env=variables,
        )  # fmt: skip
    loaded = {line.rpartition("|")[2].strip() for line in process.stderr.splitlines()}
    assert "sqlalchemy.dialects.sqlite" in loaded
    assert "sqlalchemy.dialects.postgresql" not in loaded
