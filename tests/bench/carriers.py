"""The places where a value stands: prose, tables, logs, configuration, code."""

PROSE = [
    "Please note that the {word} of the customer is {v}, as agreed on Monday.",
    "Dear colleague, his {word}: {v}. Kind regards, Anna",
    "We could not verify the {word} {v} and closed the case.",
    "{Word} ({v}) was entered twice by the clerk.",
]
PROSE_ZH = ["客户提供的{zh}为{v}，请核对。", "{zh}：{v}", "员工{zh}: {v} 已登记。", "其{zh}是{v}。"]
FORMS = ["{Word}: {v}\n", "{Word}:\t{v}\n", "{Word} = {v}\n", "* {Word}: {v}\n", "{Word} | {v} |\n"]
LINES = [
    "2023-04-05 12:33:11,123 INFO [main] c.a.Service - {key}={v} status=OK\n",
    "{key}={v}\n", "{key}: {v}\n", '{key} = "{v}"\n', '{{"id": 17, "{key}": "{v}", "ok": true}}\n',
    "<{key}>{v}</{key}>\n", "INSERT INTO t (id, {key}) VALUES (17, '{v}');\n",
    "UPDATE t SET {key} = '{v}' WHERE id = 12;\n", "<tr><td>{Word}</td><td>{v}</td></tr>\n",
    "    person.set_{key}(\"{v}\")\n",
]
BARE = ["{v}", "{v}\n", "Got {v} this morning.", "- {v}\n- done\n", "see also: {v}; thanks",
        '"{v}"', "a, {v}, b", "({v})", "其中{v}已处理"]


def named(r, v, words, zh, keys):
    """Text and label over it ('': none), with a word that says what it is."""
    word, key = r.choice(words), r.choice(keys)
    fill = {"v": v, "word": word, "Word": word[0].upper() + word[1:], "key": key,
            "zh": r.choice(zh) if zh else word}
    kind = r.random()
    if kind < .2:
        return v, key
    if kind < .4:
        return r.choice(PROSE).format(**fill), ""
    if kind < .5 and zh:
        return r.choice(PROSE_ZH).format(**fill), ""
    if kind < .65:
        return r.choice(FORMS).format(**fill), ""
    return r.choice(LINES).format(**fill), ""


def bare(r, v):
    return r.choice(BARE).format(v=v), ""


# Where tokens are found, and what says nothing of them.
NEUTRAL = ["%s", "value: %s\n", '{"t": "%s"}', "// see %s\n", "echo %s | base64\n", "x,%s,y\n", "<td>%s</td>"]
TELLING = ["TOKEN=%s\n", 'export X_TOKEN="%s"\n', "curl -H 'Authorization: token %s' https://x\n",
           "// do not commit %s\n", "他的令牌是%s，请保密。"]
IN_URL = ["git clone https://oauth2:%s@git.example.com/a/b.git\n"]


def code(r, v, is_good):
    places = NEUTRAL + (TELLING if is_good else []) + \
        (IN_URL if is_good and not set(v) & set("/:;=?@") else [])
    return r.choice(places) % v, ""
