# Asks python3-spf. Input: one JSON object a line {"ip", "helo", "sender", "records": {"KIND name": [...] or "TIMEOUT"}};
# output: [result, what it says about it] a line.
import json, sys
import spf
records = {}
def look_up(name, kind, strict=True, timeout=20):
    name = name.lower().rstrip('.')
    found = records.get(kind + ' ' + name)
    if found == 'TIMEOUT':
        raise spf.TempError('DNS timeout')
    read = {'TXT': lambda strings: [text.encode('latin-1') for text in strings], 'MX': lambda mx: (mx['priority'], mx['exchange'])}
    return [((name, kind), read.get(kind, str)(value)) for value in found or []]
spf.DNSLookup = look_up
for line in sys.stdin:
    case = json.loads(line)
    records = case['records']
    try:
        result, _, about = spf.query(i=case['ip'], s=case['sender'], h=case['helo'], receiver='receiver.example', strict=True, timeout=20).check()
    except Exception as error:
        result, about = 'error', repr(error)
    print(json.dumps([result, about]), flush=True)
