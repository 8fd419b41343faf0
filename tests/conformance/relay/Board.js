// What an application that uses Relay writes; read by its compiler only.
import { graphql } from 'relay-runtime';

export const query = graphql`
  query BoardQuery($first: Int!) {
    leaderboard(first: $first) {
      nodes {
        rank
        score
        user {
          displayName
          ...Board_person
        }
      }
    }
  }
`;

/** Can be asked for again by its id, page by page: both are conventions that a schema has to follow. */
export const person = graphql`
  fragment Board_person on User
  @argumentDefinitions(count: { type: "Int", defaultValue: 5 }, cursor: { type: "String" })
  @refetchable(queryName: "BoardPersonQuery") {
    referredUsers(first: $count, after: $cursor) @connection(key: "Board_referredUsers") {
      edges {
        node {
          displayName
        }
      }
    }
  }
`;

export const live = graphql`
  subscription BoardSubscription {
    ...Board_live
  }
`;

export const top = graphql`
  fragment Board_live on Subscription {
    leaderboard(first: 3) {
      version
      entries {
        rank
      }
    }
  }
`;
