// GraphiQL chooses the colours of its editors once. A system that turns dark in the evening would leave them behind.
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect } from 'react';

/** Shows nothing; chooses the colours again when the system changes its mind, unless a person chose a theme. */
export function FollowSystemTheme() {
  const chosen = useGraphiQL((state) => state.theme);
  const { setTheme } = useGraphiQLActions();

  useEffect(() => {
    const system = window.matchMedia('(prefers-color-scheme: dark)');
    const follow = () => {
      if (chosen === null) {
        setTheme(null);
      }
    };
    system.addEventListener('change', follow);
    return () => system.removeEventListener('change', follow);
  }, [chosen, setTheme]);

  return null;
}
