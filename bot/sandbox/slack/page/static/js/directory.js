// Names for ids, and emoji for names.

export class Directory {
  constructor(state, emoji) {
    this.users = new Map(state.users.map((user) => [user.id, user]));
    this.channels = new Map(state.channels.map((channel) => [channel.id, channel]));
    this.groups = new Map(state.groups.map((group) => [group.id, group]));
    this.emoji = emoji;
  }

  userName(id) {
    return this.users.get(id)?.real_name ?? id;
  }

  channelName(id) {
    return this.channels.get(id)?.name ?? id;
  }

  groupHandle(id) {
    return this.groups.get(id)?.handle ?? id;
  }

  people(ids) {
    return [...this.users.values()].filter((user) => ids.includes(user.id) && !user.is_bot);
  }

  // Some characters are drawn as plain signs unless told to be emoji.
  emojiCharacter(name) {
    const character = this.emoji[name.split("::")[0]];
    return character && (character.length === 1 ? `${character}\uFE0F` : character);
  }
}
