"""The form of a method's parameters, built from its parameter model."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_histreg.plugin.models.parameter_form import FormField, form_fields
from napari_histreg.plugin.widgets.parts import button, combo, form, note

__all__ = ["MethodForm"]


class MethodForm(QWidget):
    """One line for each parameter of a method, with its bounds, its default and a tooltip.

    Parameters
    ----------
    parent : QWidget, optional
    advanced : bool
        Whether it holds the parameters that few people need, or all others.

    Attributes
    ----------
    changed : Signal()
        A value was edited; `values` holds those that differ from their defaults.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None, *, advanced: bool = False) -> None:
        super().__init__(parent)
        self._advanced = advanced
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._body = QWidget()
        self._layout.addWidget(self._body)
        self._fields: dict[str, tuple[FormField, _Entry]] = {}

    def show_model(self, model: type[BaseModel], values: Mapping[str, Any]) -> None:
        """Build the lines of a model anew; `values` stand in place of defaults."""
        body = QWidget()
        lines = form()
        body.setLayout(lines)
        self._fields = {}
        for field in (f for f in form_fields(model) if f.advanced == self._advanced):
            entry = _Entry(field)
            entry.set_value(values.get(field.name, field.default))
            entry.changed.connect(self.changed)
            self._fields[field.name] = (field, entry)
            lines.addRow(field.title, entry)
            label = lines.labelForField(entry)
            label.setToolTip(field.tip)
        if self._fields:
            lines.addRow(button("Defaults", "Set all parameters back to their defaults", self.reset))
        elif not self._advanced:
            lines.addRow(note("This method has nothing to set."))
        self._layout.replaceWidget(self._body, body)
        self._body.deleteLater()
        self._body = body

    @property
    def values(self) -> dict[str, Any]:
        """The values that differ from their defaults."""
        return {
            name: entry.value()
            for name, (field, entry) in self._fields.items()
            if entry.value() != field.default
        }

    def entry(self, name: str) -> QWidget:
        """Return the control of a parameter."""
        return self._fields[name][1].control

    def reset(self) -> None:
        """Set all parameters back to their defaults."""
        for field, entry in self._fields.values():
            entry.set_value(field.default)
        self.changed.emit()


class _Entry(QWidget):
    """The control of one parameter, with a box to leave it out where that is allowed."""

    changed = Signal()

    def __init__(self, field: FormField) -> None:
        super().__init__()
        self._field = field
        self.control = _control(field)
        self.control.setToolTip(field.tip)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self._given = QCheckBox() if field.optional else None
        if self._given is not None:
            self._given.setToolTip("Tick to set it; otherwise the method chooses")
            self._given.toggled.connect(self.control.setEnabled)
            self._given.toggled.connect(self.changed)
            row.addWidget(self._given)
        row.addWidget(self.control, 1)
        if field.kind == "folder":
            self.browse = button("Browse…", f"Choose a folder: {field.title}", self._choose_folder)
            row.addWidget(self.browse)
        _edited(self.control).connect(self.changed)

    def _choose_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, self._field.title, self.control.text())
        if name:
            self.control.setText(name)
            self.changed.emit()

    def value(self) -> Any:
        """Return the value as the model takes it."""
        if self._given is not None and not self._given.isChecked():
            return None
        if isinstance(self.control, QCheckBox):
            return self.control.isChecked()
        if isinstance(self.control, QComboBox):
            return self.control.currentData()
        return self.control.text() if isinstance(self.control, QLineEdit) else self.control.value()

    def set_value(self, value: Any) -> None:
        """Show a value."""
        if self._given is not None:
            self._given.setChecked(value is not None)
            self.control.setEnabled(value is not None)
            if value is None:
                return
        if isinstance(self.control, QCheckBox):
            self.control.setChecked(bool(value))
        elif isinstance(self.control, QComboBox):
            self.control.setCurrentIndex(self.control.findData(value))
        elif isinstance(self.control, QLineEdit):
            self.control.setText(str(value))
        else:
            self.control.setValue(value)


def _control(field: FormField) -> Any:
    if field.kind == "switch":
        return QCheckBox()
    if field.kind == "choice":
        box = combo()
        for choice in field.choices:
            box.addItem(str(choice).replace("_", " "), choice)
        return box
    if field.kind in ("text", "folder"):
        return QLineEdit()
    spin = QSpinBox() if field.kind == "whole" else QDoubleSpinBox()
    whole = field.kind == "whole"
    if not whole:
        spin.setDecimals(field.decimals)
    spin.setRange(*((int(v) if whole else v) for v in (field.minimum, field.maximum)))
    spin.setSingleStep(int(field.step) if whole else field.step)
    spin.setKeyboardTracking(False)
    return spin


def _edited(control: Any) -> Any:
    if isinstance(control, QCheckBox):
        return control.toggled
    if isinstance(control, QComboBox):
        return control.currentIndexChanged
    return control.textEdited if isinstance(control, QLineEdit) else control.valueChanged
