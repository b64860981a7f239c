"""When a cadence is due: cron expressions in the site's zone, missed slots merged."""
