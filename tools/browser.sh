#!/bin/sh
# The browser tests drive Chromium and look at Chinese text. As root on Debian or Ubuntu what is missing is
# installed; elsewhere the tests that need it skip and say so.
set -eu
cd "$(dirname "$0")"
have_chromium() {
    for name in chromium chromium-browser google-chrome; do
        command -v "$name" >/dev/null 2>&1 && return 0
    done
    [ -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" ]
}
have_chinese() {
    [ "$(uname -s)" = Darwin ] || { command -v fc-list >/dev/null 2>&1 && [ -n "$(fc-list :lang=zh-cn)" ]; }
}
missing=
have_chromium || missing="chromium"
have_chinese || missing="$missing fontconfig fonts-noto-cjk"
[ -n "$missing" ] || exit 0
# shellcheck disable=SC2086 # a list of package names
./apt.sh $missing || echo "No browser tests: install $missing to run them." >&2
