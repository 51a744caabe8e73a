#!/bin/sh
# Write requirements.lock from pyproject.toml: every extra, hashes, no torch and nothing that only CUDA needs.
set -eu
cd "$(dirname "$0")/.."
command -v uv >/dev/null || { echo "unroll: uv is needed to lock: pip install uv" >&2; exit 2; }
compile() {
    uv pip compile pyproject.toml --all-extras --python-version 3.11 --generate-hashes --no-header --no-annotate \
        --no-emit-index-url --quiet --upgrade "$@"
}
left_out=$(compile | grep -oE '^(torch|triton|nvidia-[a-z0-9-]+|cuda-[a-z0-9-]+)==' | sed 's/==//; s/^/--no-emit-package /')
# shellcheck disable=SC2086  # one option a word
compile $left_out --output-file requirements.lock.new
mv requirements.lock.new requirements.lock
