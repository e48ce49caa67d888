#!/usr/bin/env bash
# Sees to it that a virtual screen and the libraries that Qt needs are there, then runs the command on it.
# (Qt's own "offscreen" platform paints no canvas, so the tests want a real X server.)
set -euo pipefail
# On Debian 13 and Ubuntu 24.04 libglib2.0-0 is called libglib2.0-0t64; apt knows both names.
packages="xvfb xauth libegl1 libxkbcommon-x11-0 libdbus-1-3 libfontconfig1 libglib2.0-0 libxcb-cursor0
          libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 libgssapi-krb5-2 fonts-dejavu-core"

missing=""
for package in $packages; do
    status=$(dpkg-query -W -f '${Status}' "$package" "${package}t64" 2>/dev/null || true)
    case "$status" in *"install ok installed"*) ;; *) missing="$missing $package" ;; esac
done
sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo -n"
can_install() { command -v apt-get >/dev/null && { [ -z "$sudo" ] || $sudo true 2>/dev/null; }; }
install() { $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null; }

if [ -n "$missing" ] && can_install; then
    echo "Installing Debian packages:$missing"
    $sudo apt-get update -qq
    install $missing
elif [ -n "$missing" ] && command -v apt-get >/dev/null; then
    echo "The window tests need a virtual screen. Run this line, then try again:" >&2
    echo "    sudo apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
# The report is also looked at in a browser; that test is skipped where none can be had.
if ! command -v chromium chromium-browser google-chrome >/dev/null && can_install &&
    apt-cache show chromium >/dev/null 2>&1; then
    echo "Installing the Debian package chromium"
    install chromium || echo "That failed; going on without." >&2
fi
export QT_QPA_PLATFORM=xcb
exec xvfb-run -a -s "-screen 0 1600x1000x24" "$@"
