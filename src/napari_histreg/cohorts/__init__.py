"""Many cases in one run: a table in, a folder of results and one page out."""

from napari_histreg.cohorts.case import Case, CaseOptions
from napari_histreg.cohorts.run import CohortResult, run_cohort
from napari_histreg.cohorts.settings import RunSettings
from napari_histreg.cohorts.table import read_cases

__all__ = ["Case", "CaseOptions", "CohortResult", "RunSettings", "read_cases", "run_cohort"]
