"""Reading schedulers: one query for each kind and interval, for everybody; nothing here changes what they hold."""
