'use strict';

const { Controller } = require('egg');

class SsoController extends Controller {
  async qrlogin() {
    if (this.ctx.args[0] === 'ping') this.service.push.toSocket(this.ctx.imSocket, 'SSO_QRLOGIN', 'pong');
  }
}

module.exports = SsoController;
