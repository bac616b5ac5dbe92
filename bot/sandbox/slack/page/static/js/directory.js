// Looks up users, channels and groups by id, and emoji by name.

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

  people(ids = [...this.users.keys()]) {
    return [...this.users.values()].filter((user) => ids.includes(user.id) && !user.is_bot);
  }

  // Block Kit options of people.
  userOptions(ids) {
    return this.people(ids).map((user) => option(user.real_name, user.id));
  }

  channelOptions() {
    return [...this.channels.values()].map((channel) => option(`#${channel.name}`, channel.id));
  }

  // Single characters need a variation selector to be drawn as emoji.
  emojiCharacter(name) {
    const character = this.emoji[name.split("::")[0]];
    return character && (character.length === 1 ? `${character}\uFE0F` : character);
  }
}

function option(text, value) {
  return { text: { type: "plain_text", text }, value };
}
