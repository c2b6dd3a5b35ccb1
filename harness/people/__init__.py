"""What the people who wait are told of a window: page, feed, calendar, mails."""
