"""Names of the files in the folder of a case, beside those of `write_folder` and `write_group`."""

__all__ = ["LOG", "NOTE", "REPORT", "REPORT_JSON", "THUMBNAIL"]

NOTE = "case.json"
REPORT = "report.html"
REPORT_JSON = "report.json"
THUMBNAIL = "thumbnail.jpg"
LOG = "log.txt"
