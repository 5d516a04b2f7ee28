"""The bank in the formats of other programs: Anki, GIFT, Moodle XML, QTI, CSV."""
