#!/usr/bin/env python3
"""Turns the ISO code tables of Debian's iso-codes package into documents for cbcluster --load.

usage: documents.py FOLDER    writes FOLDER/COLLECTION.jsonl, lines of {"key": ..., "doc": ...}
"""
import json
import sys

ISO_CODES = "/usr/share/iso-codes/json"

# collection, file, list inside the file, field that becomes the document key
TABLES = [
    ("country", "iso_3166-1.json", "3166-1", "alpha_2"),
    ("subdivision", "iso_3166-2.json", "3166-2", "code"),
    ("language", "iso_639-3.json", "639-3", "alpha_3"),
    ("currency", "iso_4217.json", "4217", "alpha_3"),
]


def main():
    folder = sys.argv[1]
    for collection, file, name, key in TABLES:
        with open(f"{ISO_CODES}/{file}", encoding="utf-8") as source:
            documents = json.load(source)[name]
        with open(f"{folder}/{collection}.jsonl", "w", encoding="utf-8") as target:
            for document in documents:
                line = {"key": document[key], "doc": document}
                target.write(json.dumps(line, ensure_ascii=False) + "\n")
        print(f"    {collection:<12} {len(documents):>5} documents, for example {documents[0][key]}")


main()
