"""What the actions of the register are called in the log, and what they note."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.audit.words import name_actions, name_fields

name_actions(
    {
        "devices.add": _("Enter a device"),
        "devices.add_many": _("Enter devices in a row"),
        "devices.revise": _("Change a device"),
        "devices.retire": _("Take a device out of the register"),
        "devices.restore": _("Bring a device back"),
        "devices.assign": _("Move a device"),
        "devices.enable": _("Take a device into use or pause it"),
        "devices.undo": _("Take a change of devices back"),
        "devices.adjust_points": _("Change the points of a device"),
        "devices.new_secret": _("Make a new secret"),
        "devices.revoke_secret": _("Revoke a secret"),
        "devices.adopt": _("Adopt an unknown device"),
        "devices.dismiss_unknown": _("Dismiss an unknown device"),
        "devices.recall_unknown": _("Show an unknown device again"),
        "devices.add_template": _("Enter a product template"),
        "devices.revise_template": _("Change a product template"),
        "devices.copy_template": _("Copy a product template"),
        "devices.retire_template": _("Retire a product template"),
        "devices.restore_template": _("Offer a product template again"),
        "devices.load_templates": _("Load the library of templates"),
        "devices.preview_import": _("Look at a workbook of devices"),
        "devices.remember_columns": _("Remember columns of a workbook of devices"),
        "devices.import_devices": _("Import devices"),
        "devices.import_points": _("Import points of devices"),
        "devices.undo_import": _("Take an import of devices back"),
    }
)
name_fields(
    {
        "secret": _("Secret"),
        "points": _("Points"),
        "unknown_since": _("Knocked since"),
        "copy_of": _("Copy of"),
        "templates": _("Product templates"),
    }
)
