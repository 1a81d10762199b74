// Package browser opens the pages of lab/report in Chromium and looks at them as
// a person would: what is drawn, what a click and a key do, in light and dark.
// It is a module of its own so that nothing else depends on the browser's
// protocol.
//
// Where there is no Chromium the tests are skipped, unless CI=true is in the
// environment. With -artifacts they keep a picture of each view.
package browser
