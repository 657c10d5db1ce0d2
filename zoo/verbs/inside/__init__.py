"""Looking inside: `zoo analyze`, one kind of look a file, and the record that each of them leaves."""
