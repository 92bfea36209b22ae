"""What others make of a calendar: python read.py ADDRESS prints it as JSON."""
import io
import json
import re
import sys
import urllib.request
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import vobject
from dateutil.tz import tzical

raw = urllib.request.urlopen(sys.argv[1]).read()
text = raw.decode()


def plain(value):
    return value.dt.isoformat() if hasattr(value, 'dt') else None if value is None else str(value)


calendar = icalendar.Calendar.from_ical(raw)
items = [item for item in calendar.walk() if item.name in ('VEVENT', 'VTODO')]


def read(item):
    fields = {name: plain(item.get(name)) for name in ('UID', 'SUMMARY', 'DESCRIPTION', 'DTSTART', 'DTEND', 'DUE', 'STATUS', 'PRIORITY')}
    rule = item.get('RRULE')
    tags = item.get('CATEGORIES')
    return {
        'kind': item.name,
        **{name.lower(): value for name, value in fields.items() if value is not None},
        **({} if rule is None else {'rule': rule.to_ical().decode()}),
        **({} if tags is None else {'tags': [str(tag) for tag in tags.cats]}),
    }


def wrong_offsets(component, zone):
    """By the description alone: under a name that nobody knows."""
    unnamed = component.replace(zone, 'X-Nobody').replace('\r\n', '\n')
    described = tzical(io.StringIO(unnamed)).get('X-Nobody')
    known = ZoneInfo(zone)
    days = (datetime(2026, 6, 1) + timedelta(hours=7 * n) for n in range(10_000))
    return sum(day.replace(tzinfo=described).utcoffset() != day.replace(tzinfo=known).utcoffset() for day in days)


unfolded = re.sub(r'\r\n[ \t]', '', text)
zones = re.findall(r'BEGIN:VTIMEZONE\r\nTZID:(.*?)\r\n.*?END:VTIMEZONE\r\n', unfolded, re.S)
components = re.findall(r'BEGIN:VTIMEZONE\r\n.*?END:VTIMEZONE\r\n', unfolded, re.S)

# Of a whole stream, as vobject reads it; it validates what it knows.
objects = vobject.readOne(text)
objects.validate(raiseException=True)

print(json.dumps({
    'name': str(calendar['NAME']),
    'items': [read(item) for item in items],
    'errors': [str(error) for item in calendar.walk() for error in item.errors],
    'vobject': [str(item.summary.value) for item in objects.components() if item.name in ('VEVENT', 'VTODO')],
    'zones': {zone: wrong_offsets(component, zone) for zone, component in zip(zones, components)},
}))
