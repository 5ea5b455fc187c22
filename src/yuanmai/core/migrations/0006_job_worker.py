from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0005_jobs_and_kept_answers'),
    ]

    operations = [
        migrations.AddField(
            model_name='job',
            name='worker',
            field=models.CharField(blank=True, max_length=200),
        ),
    ]
