#!/bin/sh
# Prints where Chromium is, for tests; installs Debian's where there is none, which needs root.
set -eu
find_browser() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
find_browser && exit 0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
{
    apt-get update -qq
    # a font, without which pages have no text that could be looked at
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core
} >"$log" 2>&1 && find_browser || {
    echo "tools/browser.sh: no Chromium here, and it cannot be installed (Debian, root):" >&2
    tail -3 "$log" >&2
    exit 1
}
