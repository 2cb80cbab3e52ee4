'use strict';

const off = () => ({ enable: false }); // Egg writes into what it gets

module.exports = {
  io: { enable: true, package: 'egg-socket.io' },
  // `onerror`, `security` and `session` stay on; egg-socket.io needs the last. These would watch files, rotate logs or
  // make folders in the source tree.
  development: off(),
  i18n: off(),
  jsonp: off(),
  logrotator: off(),
  multipart: off(),
  schedule: off(),
  static: off(),
  view: off(),
  watcher: off(),
};
