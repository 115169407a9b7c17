# shellcheck shell=bash
# What the tests of the console's page need: a browser with its driver, a font for Chinese, and axe-core from npm.

AXE_CORE=4.14.1
AXE_CORE_WORK="$ROOT/target/browser"

prepare_browser() {
  require_browser
  fetch_axe_core_once
}

require_browser() {
  ensure_packages chromium=chromium chromedriver=chromium-driver npm=npm \
    /usr/share/fonts/truetype/wqy/wqy-microhei.ttc=fonts-wqy-microhei
}

fetch_axe_core_once() {
  axe_core_is_here || step "axe-core $AXE_CORE (npm)" fetch_axe_core
}

axe_core_is_here() { grep -qs "\"version\": \"$AXE_CORE\"" "$AXE_CORE_WORK/node_modules/axe-core/package.json"; }

fetch_axe_core() {
  mkdir -p "$AXE_CORE_WORK"
  npm install --prefix "$AXE_CORE_WORK" --no-save --no-fund --no-audit "axe-core@$AXE_CORE"
}
