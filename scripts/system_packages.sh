#!/bin/sh
# Installs what the tests need from Debian or Ubuntu, and only what is missing.
#
#   scripts/system_packages.sh test    Chromium, a Chinese font, PostgreSQL's server programs, programs that speak MQTT and Modbus
#   scripts/system_packages.sh venv    the module venv of the system's Python
#
# As root, or through sudo. Where neither works it says which packages to install and ends with 1.
set -u

PYTHON=${PYTHON:-python3}

has_chromium() {
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        command -v "$name" >/dev/null 2>&1 && return 0
    done
    return 1
}

has_chinese_font() {
    if command -v fc-list >/dev/null 2>&1; then
        [ -n "$(fc-list :lang=zh-cn 2>/dev/null | head -n 1)" ]
    else
        ls /usr/share/fonts/opentype/noto/NotoSansCJK* >/dev/null 2>&1
    fi
}

has_postgresql() {
    command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1
}

# A server may stand where only root looks.
has_program() {
    command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]
}

has_venv() {
    "$PYTHON" -c 'import ensurepip, venv' >/dev/null 2>&1
}

missing=""
case "${1:-}" in
test)
    has_chromium || missing="$missing chromium"
    has_chinese_font || missing="$missing fonts-noto-cjk"
    has_postgresql || missing="$missing postgresql"
    has_program mosquitto || missing="$missing mosquitto"
    has_program mosquitto_pub || missing="$missing mosquitto-clients"
    has_program mbpoll || missing="$missing mbpoll"
    ;;
venv)
    has_venv || missing=" $("$PYTHON" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    ;;
*)
    echo "usage: $0 test|venv" >&2
    exit 2
    ;;
esac
[ -n "$missing" ] || exit 0

say_what_to_do() {
    echo "" >&2
    echo "$1" >&2
    echo "These system packages are missing:$missing" >&2
    echo "Install them as root and run the command again:   apt-get update && apt-get install$missing" >&2
    exit 1
}

command -v apt-get >/dev/null 2>&1 || say_what_to_do "This is not a Debian or Ubuntu system (no apt-get)."
if [ "$(id -u)" = 0 ]; then
    as_root=""
elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    as_root="sudo"
else
    say_what_to_do "Installing system packages needs root, and sudo is not at hand."
fi

echo "Installing with apt-get:$missing"
options="-o Acquire::Retries=5 -o Acquire::http::Timeout=60 -o DPkg::Lock::Timeout=300"
attempt=1
while :; do
    # shellcheck disable=SC2086  # the lists are meant to be split
    if $as_root apt-get $options -qq update &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get $options install -y -qq --no-install-recommends $missing \
            </dev/null >/dev/null; then
        # The tests start brokers of their own; a running one would hold the port of the gateway.
        case "$missing " in
        *" mosquitto "*) $as_root systemctl disable --now mosquitto >/dev/null 2>&1 || true ;;
        esac
        exit 0
    fi
    [ "$attempt" -lt 4 ] || say_what_to_do "apt-get did not succeed in $attempt attempts (its messages are above)."
    echo "apt-get failed; attempt $((attempt + 1)) of 4 in $((attempt * 10)) seconds" >&2
    sleep $((attempt * 10))
    attempt=$((attempt + 1))
done
