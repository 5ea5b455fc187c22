from django.db import migrations

from yuanmai.core.audit import guard


class Migration(migrations.Migration):
    """From here on the database itself refuses to change or delete audit entries."""

    dependencies = [("core", "0002_initial")]

    operations = [
        migrations.RunPython(
            lambda apps, editor: guard.lock(editor.connection), lambda apps, editor: guard.unlock(editor.connection)
        ),
    ]
