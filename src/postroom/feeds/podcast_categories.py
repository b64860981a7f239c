"""The categories of Apple's directory, which all others read: one misspelt is none."""

from __future__ import annotations

from difflib import get_close_matches

SEPARATOR = " > "

_TABLE = """
Arts: Books, Design, Fashion & Beauty, Food, Performing Arts, Visual Arts
Business: Careers, Entrepreneurship, Investing, Management, Marketing, Non-Profit
Comedy: Comedy Interviews, Improv, Stand-Up
Education: Courses, How To, Language Learning, Self-Improvement
Fiction: Comedy Fiction, Drama, Science Fiction
Government:
Health & Fitness: Alternative Health, Fitness, Medicine, Mental Health, Nutrition, Sexuality
History:
Kids & Family: Education for Kids, Parenting, Pets & Animals, Stories for Kids
Leisure: Animation & Manga, Automotive, Aviation, Crafts, Games, Hobbies, Home & Garden, Video Games
Music: Music Commentary, Music History, Music Interviews
News: Business News, Daily News, Entertainment News, News Commentary, Politics, Sports News, Tech News
Religion & Spirituality: Buddhism, Christianity, Hinduism, Islam, Judaism, Religion, Spirituality
Science: Astronomy, Chemistry, Earth Sciences, Life Sciences, Mathematics, Natural Sciences, Nature, Physics, Social Sciences
Society & Culture: Documentary, Personal Journals, Philosophy, Places & Travel, Relationships
Sports: Baseball, Basketball, Cricket, Fantasy Sports, Football, Golf, Hockey, Rugby, Running, Soccer, Swimming, Tennis, Volleyball, Wilderness, Wrestling
Technology:
True Crime:
TV & Film: After Shows, Film History, Film Interviews, Film Reviews, TV Interviews, TV Reviews
"""

CATEGORIES: dict[str, tuple[str, ...]] = {
    outer: tuple(filter(None, inner.strip().split(", ")))
    for outer, _, inner in (line.partition(":") for line in _TABLE.strip().split("\n"))
}


def parse_category(text: str) -> str:
    """Return `Arts` or `Arts > Books` in Apple's spelling; ValueError says what is near."""
    words = [" ".join(word.split()) for word in text.split(">")]
    outer = _find(words[0], tuple(CATEGORIES))
    if len(words) == 1:
        return outer
    return SEPARATOR.join((outer, _find(SEPARATOR.join(words[1:]), CATEGORIES[outer])))


def _find(word: str, known: tuple[str, ...]) -> str:
    folded = {name.casefold(): name for name in known}
    if word.casefold() in folded:
        return folded[word.casefold()]
    near = get_close_matches(word.casefold(), folded, n=1) or list(folded)[:1]
    such = f', such as "{folded[near[0]]}"' if near else ": it has none within it"
    raise ValueError(f"must be one of the categories of Apple Podcasts{such}")
