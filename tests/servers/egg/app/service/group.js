'use strict';

const { Service } = require('egg');

class GroupService extends Service {
  get groups() {
    return this.app.im.groups;
  }

  roomOf(groupId) {
    return `ROOM${groupId}`;
  }

  roomsOf(userId) {
    return [...this.groups].filter(([, members]) => members.has(userId)).map(([groupId]) => this.roomOf(groupId));
  }

  membersOf(groupId) {
    return this.groups.get(groupId);
  }

  has(groupId, userId) {
    const members = this.groups.get(groupId);
    return Boolean(members && members.has(userId));
  }

  /** `create` and `update` set the members; everybody who is or was one gets the notice. */
  change({ type, whoami, groupId, members = [] }) {
    const before = this.groups.get(groupId) || new Set();
    const after = new Set(type === 'destroy' ? [] : members.map(String));
    if (type === 'destroy') this.groups.delete(groupId);
    else this.groups.set(groupId, after);

    const result = { groupId, members: [...(type === 'destroy' ? before : after)] };
    const notice = { type, whoami, groupId, [type === 'update' ? 'updateResult' : 'result']: result };
    for (const userId of new Set([...before, ...after])) {
      for (const socket of this.service.presence.socketsOf(userId)) {
        if (after.has(userId)) socket.join(this.roomOf(groupId));
        else socket.leave(this.roomOf(groupId));
      }
      this.service.push.toUser(userId, 'CHAT_GROUP_NOTICE', notice);
    }
    return result;
  }
}

module.exports = GroupService;
