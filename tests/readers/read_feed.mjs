// Reads one feed with a library of the npm world and prints its entries as JSON.
//
// node --input-type=module - LIBRARY URL < read_feed.mjs
// It comes through standard input so that packages are found from the working folder.

const [library, url] = process.argv.slice(2);

const readers = {
  async feedsmith() {
    const { parseFeed } = await import("feedsmith");
    const { format, feed } = parseFeed(await (await fetch(url)).text());
    return { atom: atomEntries, rss: rssEntries, json: jsonEntries }[format](feed);
  },

  async "rss-parser"() {
    const { default: Parser } = await import("rss-parser");
    const feed = await new Parser().parseURL(url);
    return feed.items.map((item) => ({
      id: item.guid ?? item.id,
      title: item.title,
      url: item.link,
      content: item["content:encoded"] ?? item.content,
      attached: item.enclosure ? [attached(item.enclosure)] : [],
      tags: item.categories ?? [],
      authors: [item.creator ?? item.author].flat().filter(Boolean),
    }));
  },
};

const attached = ({ url, href, type, length }) => ({
  url: url ?? href,
  media_type: type,
  length: Number(length),
});

const atomEntries = (feed) =>
  feed.entries.map((entry) => ({
    id: entry.id,
    title: entry.title?.value ?? entry.title,
    url: entry.links.find((link) => (link.rel ?? "alternate") === "alternate").href,
    content: entry.content?.value ?? entry.content,
    attached: entry.links.filter((link) => link.rel === "enclosure").map(attached),
    tags: (entry.categories ?? []).map((category) => category.term),
    authors: (entry.authors ?? []).map((author) => author.name),
  }));

const rssEntries = (feed) =>
  feed.items.map((item) => ({
    id: item.guid?.value,
    title: item.title,
    url: item.link,
    content: item.content?.encoded,
    attached: (item.enclosures ?? []).map(attached),
    tags: (item.categories ?? []).map((category) => category.name),
    authors: item.dc?.creators ?? [],
  }));

const jsonEntries = (feed) =>
  feed.items.map((item) => ({
    id: item.id,
    title: item.title,
    url: item.url,
    content: item.content_html,
    attached: (item.attachments ?? []).map((file) => ({
      url: file.url,
      media_type: file.mime_type,
      length: file.size_in_bytes,
    })),
    tags: item.tags ?? [],
    authors: (item.authors ?? []).map((author) => author.name),
  }));

console.log(JSON.stringify(await readers[library]()));
