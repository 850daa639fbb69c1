# Verifies messages with dkimpy. Input: one JSON object a line {"message": base64, "records": {name: text}}; output: true or false a line.
import base64, json, sys
import dkim
for line in sys.stdin:
    case = json.loads(line)
    records = {name + '.': text.encode() for name, text in case['records'].items()}
    def dnsfunc(name, timeout=5):
        return records.get(name.decode() if isinstance(name, bytes) else name)
    try:
        print('true' if dkim.verify(base64.b64decode(case['message']), dnsfunc=dnsfunc) else 'false')
    except Exception as error:
        print('false')
    sys.stdout.flush()
